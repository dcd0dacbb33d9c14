/** The tabs of reviews, in all groups of the editor. */

import * as vscode from 'vscode';

export type Which = (uri: vscode.Uri) => boolean;

/** The tab of a review, and the ones where its versions stand side by side. */
export function tabsOfReview(tab: vscode.Uri): Which {
  return (uri) => uri.with({ query: '' }).toString() === tab.toString();
}

export function tabsOf(which: Which): readonly vscode.Tab[] {
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  return tabs.filter(({ input }) => uris(input).some(which));
}

export async function closeTabs(which: Which): Promise<void> {
  await vscode.window.tabGroups.close(tabsOf(which));
}

function uris(input: unknown): readonly vscode.Uri[] {
  if (input instanceof vscode.TabInputText) return [input.uri];
  return input instanceof vscode.TabInputTextDiff ? [input.original, input.modified] : [];
}
