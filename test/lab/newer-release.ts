/**
 * Returns the content of one of Slipway's files as a newer release would write it: with a higher format number and
 * additional fields.
 */
export function newerText(text: string): string {
  const { format = 0, ...fields } = JSON.parse(text);
  return `${JSON.stringify({ format: format + 1, ...Object(extended(fields)), added: { in: [1, { later: true }] } })}\n`;
}

/**
 * Adds a field to every non-empty map at any depth. The field's value is a string, because some maps contain only
 * strings.
 */
function extended(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(extended);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const fields = Object.entries(value).map(([name, each]) => [name, extended(each)]);
  return { ...Object.fromEntries(fields), ...(fields.length > 0 && { addedToo: 'by a newer release' }) };
}
