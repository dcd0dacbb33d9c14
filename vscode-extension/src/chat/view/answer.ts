/** An answer's text in the page: sanitised, its code with actions, its places clickable. */

import createDOMPurify from 'dompurify';

import type { CodeAction } from '../messages';
import { placesIn } from '../references';
import type { Strings } from '../strings';
import { element, icon, iconButton } from './dom';
import { markdownToHtml } from './markdown';

const purify = createDOMPurify(window);

const ALLOWED = {
  ALLOWED_TAGS: [
    ...['p', 'br', 'hr', 'em', 'strong', 's', 'code', 'pre', 'blockquote', 'a', 'span'],
    ...['ul', 'ol', 'li', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6'],
    ...['table', 'thead', 'tbody', 'tr', 'th', 'td'],
  ],
  ALLOWED_ATTR: ['class', 'href', 'start'],
  ALLOW_DATA_ATTR: false,
};

export interface AnswerActions {
  readonly strings: Strings;
  readonly code: (text: string, action: CodeAction) => void;
  readonly place: (path: string, line: number) => void;
}

export function renderMarkdown(text: string, actions: AnswerActions): HTMLElement {
  const holder = element('div', { class: 'markdown' });
  holder.append(purify.sanitize(markdownToHtml(text), { ...ALLOWED, RETURN_DOM_FRAGMENT: true }));
  for (const pre of holder.querySelectorAll('pre')) addCodeActions(pre, actions);
  linkPlaces(holder, actions);
  return holder;
}

function addCodeActions(pre: HTMLElement, { strings, code }: AnswerActions): void {
  const text = pre.textContent;
  const language = /language-([\w+#-]+)/.exec(pre.firstElementChild?.className ?? '')?.[1] ?? '';
  const copy = iconButton('copy', strings.copy, () => {
    code(text, 'copy');
    copy.replaceChildren(icon('done'));
    copy.setAttribute('aria-label', strings.copied);
    setTimeout(() => {
      copy.replaceChildren(icon('copy'));
      copy.setAttribute('aria-label', strings.copy);
    }, 1_500);
  });
  const bar = element(
    'div',
    { class: 'code-bar' },
    element('span', { class: 'language' }, language),
    copy,
    iconButton('insert', strings.insertTitle, () => code(text, 'insert')),
    iconButton('review', strings.reviewTitle, () => code(text, 'review')),
  );
  pre.tabIndex = 0;
  const box = element('div', { class: 'code' });
  pre.replaceWith(box);
  box.append(bar, pre);
}

/** Turns `path:line` in running text and in inline code into links; blocks of code stay as they are. */
function linkPlaces(holder: HTMLElement, { place }: AnswerActions): void {
  const walker = document.createTreeWalker(holder, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  while (walker.nextNode() !== null) texts.push(walker.currentNode as Text);
  for (const text of texts) {
    if (text.parentElement?.closest('pre, a') != null) continue;
    const found = placesIn(text.data);
    if (found.length === 0) continue;
    const parts: (Node | string)[] = [];
    let at = 0;
    for (const { start, end, path, line } of found) {
      parts.push(
        text.data.slice(at, start),
        placeLink(text.data.slice(start, end), () => place(path, line)),
      );
      at = end;
    }
    text.replaceWith(...parts, text.data.slice(at));
  }
}

function placeLink(text: string, open: () => void): HTMLElement {
  const link = element('a', { class: 'place' }, text);
  link.href = '#';
  link.addEventListener('click', (event) => {
    event.preventDefault();
    open();
  });
  return link;
}
