/** Returns a time as `20260101T120000Z`. */
export function compactTime(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d+/g, '');
}
