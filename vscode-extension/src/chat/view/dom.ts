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
  readonly kind?: 'plain' | 'primary';
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
  history:
    'M8 1.5a6.5 6.5 0 1 1-6.3 8.1l1-.3A5.5 5.5 0 1 0 3.4 5H6v1H1.5V1.5h1v2.6A6.5 6.5 0 0 1 8 1.5zM7.5 4h1v4l2.8 1.7-.5.8-3.3-2V4z',
  add: 'M7.5 2h1v5.5H14v1H8.5V14h-1V8.5H2v-1h5.5V2z',
  back: 'M7 3.3 2.6 7.6H14v1H2.6L7 12.9l-.7.7L.7 8.1l5.6-5.5.7.7z',
  send: 'M1.5 2 15 8 1.5 14l1.8-5.5H9v-1H3.3L1.5 2z',
  stop: 'M4 4h8v8H4z',
  edit: 'm11.4 1.9 2.7 2.7-8.5 8.6-3.6.9.9-3.7 8.5-8.5zm0 1.4L4 10.8l-.5 1.8 1.9-.5 7.3-7.4-1.3-1.4z',
  remove: 'm8 7.3 3.6-3.6.7.7L8.7 8l3.6 3.6-.7.7L8 8.7l-3.6 3.6-.7-.7L7.3 8 3.7 4.4l.7-.7L8 7.3z',
  export: 'M7.5 1.6h1v7l2.4-2.4.7.7L8 10.5 4.4 6.9l.7-.7 2.4 2.4v-7zM2 9h1v4.5h10V9h1v5.5H2V9z',
} as const;

export type Icon = keyof typeof ICONS;

/** A button with a picture, and a name for everyone who does not see it. */
export function iconButton(icon: Icon, name: string, click: () => void): HTMLButtonElement {
  const made = element('button', { class: 'icon', title: name, label: name, click });
  made.type = 'button';
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', ICONS[icon]);
  svg.append(path);
  made.append(svg);
  return made;
}
