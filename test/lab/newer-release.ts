/** Returns what a newer release would write in the place of a file of our own: a higher format, and fields of its own. */
export function newerText(text: string): string {
  const { format = 0, ...fields } = JSON.parse(text);
  return `${JSON.stringify({ format: format + 1, ...Object(extended(fields)), added: { in: [1, { later: true }] } })}\n`;
}

/** Data with a field more in every map that has any, a text, since maps of texts are among them. */
function extended(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(extended);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([name, each]) => [name, extended(each)]);
  return { ...Object.fromEntries(fields), ...(fields.length > 0 && { addedToo: 'by a newer release' }) };
}
