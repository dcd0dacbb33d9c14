/** Waits for what another program promises, and not for ever. */

/** What `work` gives; null where it fails, or takes longer than so many milliseconds. */
export async function orNull<T>(work: () => Promise<T>, patience: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, patience, null);
  });
  try {
    return await Promise.race([work(), late]);
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}
