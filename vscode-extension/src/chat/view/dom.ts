/** Making elements. Text is always text: nothing here parses HTML. */

type Child = Node | string | null;

interface Properties {
  readonly class?: string;
  readonly title?: string;
  readonly label?: string;
  readonly role?: string;
  readonly id?: string;
  readonly click?: () => void;
}

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (properties.class !== undefined) made.className = properties.class;
  if (properties.title !== undefined) made.title = properties.title;
  if (properties.id !== undefined) made.id = properties.id;
  if (properties.label !== undefined) made.setAttribute('aria-label', properties.label);
  if (properties.role !== undefined) made.setAttribute('role', properties.role);
  if (properties.click !== undefined) made.addEventListener('click', properties.click);
  made.append(...children.filter((child) => child !== null));
  return made;
}

interface ButtonLook {
  readonly kind?: 'plain' | 'primary' | 'link' | 'proposal';
  readonly title?: string;
}

/** A button with a word on it. */
export function button(text: string, click: () => void, look: ButtonLook = {}): HTMLButtonElement {
  const { kind = 'plain', title } = look;
  const made = element('button', { class: `button ${kind}`, click }, text);
  made.type = 'button';
  if (title !== undefined) made.title = title;
  return made;
}

const ICONS = {
  add: 'M7.5 2h1v5.5H14v1H8.5V14h-1V8.5H2v-1h5.5V2z',
  send: 'M1.5 2 15 8 1.5 14l1.8-5.5H9v-1H3.3L1.5 2z',
  stop: 'M4 4h8v8H4z',
  edit: 'm11.4 1.9 2.7 2.7-8.5 8.6-3.6.9.9-3.7 8.5-8.5zm0 1.4L4 10.8l-.5 1.8 1.9-.5 7.3-7.4-1.3-1.4z',
  remove: 'm8 7.3 3.6-3.6.7.7L8.7 8l3.6 3.6-.7.7L8 8.7l-3.6 3.6-.7-.7L7.3 8 3.7 4.4l.7-.7L8 7.3z',
  delete:
    'M6 2h4v1h4v1h-1.1l-.8 10H3.9L3.1 4H2V3h4V2zM4.1 4l.7 9h6.4l.7-9H4.1zM6 6h1v5H6V6zm3 0h1v5H9V6z',
  export: 'M7.5 1.6h1v7l2.4-2.4.7.7L8 10.5 4.4 6.9l.7-.7 2.4 2.4v-7zM2 9h1v4.5h10V9h1v5.5H2V9z',
  copy: 'M5 2h8v9h-2v3H3V5h2V2zm1 3h5v5h1V3H6v2zM4 6v7h6V6H4z',
  insert: 'M2 3h12v1H2V3zm0 9h12v1H2v-1zm0-4.5h7v1H2v-1zM12 5.5l3 2.5-3 2.5v-5z',
  review: 'M7.5 2h1v3.5H12v1H8.5V10h-1V6.5H4v-1h3.5V2zM4 12h8v1H4v-1z',
  down: 'M7.5 2h1v9.1l3.4-3.4.7.7L8 13 3.4 8.4l.7-.7 3.4 3.4V2z',
  at: 'M8 1.5a6.5 6.5 0 1 0 3.9 11.7l-.6-.8A5.5 5.5 0 1 1 13.5 8c0 1.6-.5 2.2-1.2 2.2-.6 0-.9-.4-.9-1.2V5h-1v.7A3 3 0 1 0 10.6 10c.3.8.9 1.2 1.7 1.2 1.4 0 2.2-1.2 2.2-3.2A6.5 6.5 0 0 0 8 1.5zM8 10a2 2 0 1 1 0-4 2 2 0 0 1 0 4z',
  chevron: 'm6 3.3 4.7 4.7L6 12.7l-.7-.7 4-4-4-4z',
  done: 'M13.5 4 6.3 11.6 2.5 8l.7-.7 3.1 2.9 6.4-6.9z',
  failed:
    'M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zm0 1a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM7.5 4.5h1v4.7h-1V4.5zm0 5.8h1v1.2h-1v-1.2z',
  denied:
    'M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM3.9 4.6a5.5 5.5 0 0 0 7.5 7.5L3.9 4.6zm.7-.7 7.5 7.5a5.5 5.5 0 0 0-7.5-7.5z',
  proposed:
    'M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zm0 1a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM7.5 4h1v4.2l2.7 1.6-.5.9-3.2-2V4z',
  running: 'M8 1.5A6.5 6.5 0 0 1 14.5 8h-1A5.5 5.5 0 0 0 8 2.5v-1z',
  model:
    'M6 1h1v2h2V1h1v2h3v3h2v1h-2v2h2v1h-2v3h-3v2H9v-2H7v2H6v-2H3v-3H1V9h2V7H1V6h2V3h3V1zM4 4v8h8V4H4zm2 2h4v4H6V6zm1 1v2h2V7H7z',
} as const;

export type Icon = keyof typeof ICONS;

/** A picture that says nothing by itself. */
export function icon(name: Icon): SVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  svg.classList.add('picture');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

/** A button with a picture, and a name for everyone who does not see it. */
export function iconButton(name: Icon, label: string, click: () => void): HTMLButtonElement {
  const made = element('button', { class: 'icon', title: label, label, click });
  made.type = 'button';
  made.append(icon(name));
  return made;
}

/** Quillon's own mark, as in media/quillon.svg. */
export function mark(): SVGElement {
  const svg = icon('add');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.classList.replace('picture', 'mark');
  svg.firstElementChild?.setAttribute(
    'd',
    'M12 22v-3M12 15V2.5M9.800 5 12 2.5 14.200 5M4 12.200c0 2 1.200 2.800 2.800 2.800h10.400c1.600 0 2.800-.8 2.800-2.800M12 15v4M12 19.200a1.400 1.400 0 1 0 0 2.800a1.400 1.400 0 1 0 0-2.800',
  );
  return svg;
}
