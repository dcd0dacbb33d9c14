import pytest
from quillon_training.licences import permissive_licence


@pytest.mark.parametrize(
    ("statements", "licence"),
    [
        (["MIT"], "mit"),
        (["Apache-2.0 OR GPL-2.0-or-later"], "apache-2.0"),
        (["Apache-2.0 AND MIT"], "apache-2.0"),
        (["", "BSD License", ""], "bsd"),
        (["", "", "UNKNOWN"], None),
        (["GPL-3.0-only", "MIT License"], None),
        (["", "GNU Lesser General Public License v3 (LGPLv3)", "MIT"], None),
        (["MPL-2.0 AND MIT"], None),
        (["", "", "Copyright (c) 2020 Somebody. All rights reserved."], None),
        (["", "Python Software Foundation License"], "psf-2.0"),
        (["BUSL-1.1"], None),
        (["", "", "Apache modified"], None),
    ],
)
def test_only_permissive_licences_pass(statements, licence):
    assert permissive_licence(statements) == licence
