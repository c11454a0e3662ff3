import type { Path, Problem } from './path.ts';

/**
 * A template variable `${name}` of Terraform's templatefile, envsubst or a shell. Kubelet's `$(NAME)` does not match.
 */
const variable = /\$\{\s*([A-Za-z_][\w.-]*)[^}\n]*\}/;

/** Lists every value and key that still contains a template variable. Skips the values below such a key. */
export function unfilledVariables(written: unknown, path: Path = []): readonly Problem[] {
  const key = path.at(-1);
  const name = nameIn(key) ?? nameIn(written);
  if (name !== undefined) {
    return isGroup(path, name) ? [] : [{ path, message: notFilledIn(name) }];
  }
  if (typeof written !== 'object' || written === null) {
    return [];
  }
  return Object.entries(written).flatMap(([key, inner]) =>
    unfilledVariables(inner, [...path, Array.isArray(written) ? Number(key) : key]),
  );
}

/**
 * Returns a fault for each line with a template variable outside of comments. The text need not be valid YAML: in
 * `keyVault: { name: ${vault} }`, the second opening brace is a fault.
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

/**
 * True if the path is a rewrite in registries.mirrors, and its expression has a group with this name. The replacement
 * may then refer to the group by a variable.
 */
function isGroup(path: Path, name: string): boolean {
  return path.at(-2) === 'rewrite' && String(path.at(-1)).includes(`(?P<${name}>`);
}

function notFilledIn(name: string): string {
  return `the template variable \${${name}} was not filled in; give it a value when this is rendered, such as by templatefile(...) in Terraform`;
}
