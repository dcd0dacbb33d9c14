/** Markdown of the model as safe HTML: its own HTML is text, pictures are links, scripts nothing. */

import bash from 'highlight.js/lib/languages/bash';
import c from 'highlight.js/lib/languages/c';
import cpp from 'highlight.js/lib/languages/cpp';
import css from 'highlight.js/lib/languages/css';
import diff from 'highlight.js/lib/languages/diff';
import go from 'highlight.js/lib/languages/go';
import java from 'highlight.js/lib/languages/java';
import javascript from 'highlight.js/lib/languages/javascript';
import json from 'highlight.js/lib/languages/json';
import python from 'highlight.js/lib/languages/python';
import rust from 'highlight.js/lib/languages/rust';
import sql from 'highlight.js/lib/languages/sql';
import typescript from 'highlight.js/lib/languages/typescript';
import xml from 'highlight.js/lib/languages/xml';
import yaml from 'highlight.js/lib/languages/yaml';
import highlighter from 'highlight.js/lib/core';
import MarkdownIt from 'markdown-it';

const LANGUAGES = {
  ...{ bash, c, cpp, css, diff, go, java, javascript, json },
  ...{ python, rust, sql, typescript, xml, yaml },
};
for (const [name, language] of Object.entries(LANGUAGES)) {
  highlighter.registerLanguage(name, language);
}

/** Longest code that is coloured; the page must not stall on a pasted megabyte. */
const LONGEST = 50_000;

const parser = new MarkdownIt({ html: false, linkify: false, highlight: coloured });
parser.disable('image');
parser.validateLink = (address) => /^https?:\/\//i.test(address);

/** HTML of a Markdown text. It still passes the sanitiser before it enters the page. */
export function markdownToHtml(text: string): string {
  return parser.render(text);
}

/** The code as HTML; empty leaves the escaping to the parser. */
function coloured(code: string, language: string): string {
  if (code.length > LONGEST || highlighter.getLanguage(language) === undefined) return '';
  return highlighter.highlight(code, { language, ignoreIllegals: true }).value;
}
