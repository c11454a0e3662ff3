/**
 * Returns the text of the first element with this name; `undefined` without one. Reads only what the lists and errors
 * of stores contain: elements without attributes, and the five entities of XML.
 */
export function xmlText(xml: string, element: string): string | undefined {
  const start = xml.indexOf(`<${element}>`);
  const from = start + element.length + 2;
  const end = start === -1 ? -1 : xml.indexOf(`</${element}>`, from);
  return end === -1 ? undefined : unescaped(xml.slice(from, end));
}

/** Returns the content of every element with this name, in order; elements of this name do not nest. */
export function xmlElements(xml: string, element: string): readonly string[] {
  return xml
    .split(`<${element}>`)
    .slice(1)
    .flatMap((rest) => {
      const end = rest.indexOf(`</${element}>`);
      return end === -1 ? [] : [rest.slice(0, end)];
    });
}

function unescaped(text: string): string {
  return text.replaceAll(/&(lt|gt|quot|apos|amp|#34|#39);/g, (_, name: string) => entities[name] ?? '');
}

const entities: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  amp: '&',
  '#34': '"',
  '#39': "'",
};
