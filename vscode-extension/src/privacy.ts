/** A text without what names a person: the home folder and the account. */

/** What the system says of a person; empty where it knows none, as of a user without an account. */
export function known(ask: () => string): string {
  try {
    return ask();
  } catch {
    return '';
  }
}

export function anonymous(text: string, home: string, user: string): string {
  const withoutHome = home.length > 1 ? text.replaceAll(home, '~') : text;
  if (user.length < 3) return withoutHome;
  const name = new RegExp(`(?<![\\w])${user.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w])`, 'g');
  return withoutHome.replace(name, '<user>');
}
