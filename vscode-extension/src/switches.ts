/** What the menu offers to turn on and off. */

export type Switch =
  /** Suggestions are off altogether; this turns them on. */
  | { readonly kind: 'everywhere' }
  /** Whether they are on in a language, where they are on at all. */
  | { readonly kind: 'language'; readonly language: string; readonly on: boolean };

/**
 * The two settings are switched apart: while suggestions are off altogether, a language is as its
 * own list has it, and turning it on would put it onto that list.
 */
export function switches(
  anywhere: boolean,
  disabled: readonly string[],
  language: string | undefined,
): readonly Switch[] {
  return [
    ...(anywhere ? [] : [{ kind: 'everywhere' } as const]),
    ...(language === undefined
      ? []
      : [{ kind: 'language', language, on: !disabled.includes(language) } as const]),
  ];
}
