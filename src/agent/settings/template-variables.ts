import type { Path, Problem } from './path.ts';

/** `${name}`, as Terraform's templatefile, envsubst and a shell fill it in; kubelet's `$(NAME)` is none. */
const variable = /\$\{\s*([A-Za-z_][\w.-]*)[^}\n]*\}/;

/** Every value and key that still holds a template variable. What is below such a key is not looked at. */
export function unfilledVariables(written: unknown, path: Path = []): readonly Problem[] {
  const key = path.at(-1);
  const name = nameIn(key) ?? nameIn(written);
  if (name !== undefined) return isGroup(path, name) ? [] : [{ path, message: notFilledIn(name) }];
  if (typeof written !== 'object' || written === null) return [];
  return Object.entries(written).flatMap(([key, inner]) =>
    unfilledVariables(inner, [...path, Array.isArray(written) ? Number(key) : key]),
  );
}

/**
 * The same in a text that could not be read as YAML, by line, as `keyVault: { name: ${vault} }` cannot: the braces that
 * are left end the map. Comments do not count.
 */
export function unfilledLines(text: string): readonly string[] {
  return text.split('\n').flatMap((line, at) => {
    const name = nameIn(line.replace(/(?:^|\s)#.*/, ''));
    return name === undefined ? [] : [`line ${at + 1}: ${notFilledIn(name)}`];
  });
}

function nameIn(text: unknown): string | undefined {
  return typeof text === 'string' ? variable.exec(text)?.[1] : undefined;
}

/** What replaces a match in registries.mirrors may name a group of the expression, which is its key. */
function isGroup(path: Path, name: string): boolean {
  return path.at(-2) === 'rewrite' && String(path.at(-1)).includes(`(?P<${name}>`);
}

function notFilledIn(name: string): string {
  return `the template variable \${${name}} was not filled in; give it a value where this is made, such as templatefile(...) in Terraform`;
}
