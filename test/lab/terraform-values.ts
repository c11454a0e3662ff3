/**
 * Reads values of Terraform files without Terraform: strings, numbers, booleans, null, lists, maps and `var.NAME`.
 * Throws for any other expression, such as a function call or a template.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type TerraformValue =
  | string
  | number
  | boolean
  | null
  | readonly TerraformValue[]
  | { readonly [name: string]: TerraformValue };

export type Variables = Readonly<Record<string, TerraformValue>>;

/** Returns the value of the local `name` in a file such as roles.tf; throws if the file does not define the local. */
export function localIn(text: string, name: string, variables: Variables): TerraformValue {
  const [start] = text.match(new RegExp(`^  ${name}\\s*=`, 'm')) ?? [];
  if (start === undefined) {
    throw new Error(`There is no local ${name}.`);
  }
  return new Reader(text, text.indexOf(start) + start.length, variables).value();
}

/**
 * Returns the variables of a Terraform folder: the values in terraform.tfvars.example, and the defaults of the other
 * variables. Omits a variable that has neither.
 */
export function exampleVariables(folder: string): Variables {
  const declared = readFileSync(join(folder, 'variables.tf'), 'utf8');
  const blocks = [...declared.matchAll(/^variable "(\w+)" \{\n([\s\S]*?)^\}/gm)];
  const defaults = blocks.flatMap(([, name = '', body = '']) =>
    /^ {2}default\s*=/m.test(body) ? [[name, localIn(body, 'default', {})] as const] : [],
  );
  return {
    ...Object.fromEntries(defaults),
    ...assigned(readFileSync(join(folder, 'terraform.tfvars.example'), 'utf8')),
  };
}

function assigned(text: string): Variables {
  return new Reader(`{${text}\n}`, 0, {}).map();
}

/** Reads one expression of the configuration syntax of Terraform (github.com/hashicorp/hcl, hclsyntax/spec.md). */
class Reader {
  readonly #text: string;
  readonly #variables: Variables;
  #at: number;

  constructor(text: string, at: number, variables: Variables) {
    this.#text = text;
    this.#at = at;
    this.#variables = variables;
  }

  value(): TerraformValue {
    if (this.#next('[[]') !== undefined) {
      return this.#list();
    }
    if (this.#peek('[{]')) {
      return this.map();
    }
    const text = this.#next('"(?:[^"\\\\$%]|\\\\.)*"');
    const word = text ?? this.#next('-?\\d+(?:\\.\\d+)?|true\\b|false\\b|null\\b');
    return word === undefined ? this.#variable() : JSON.parse(word);
  }

  map(): Readonly<Record<string, TerraformValue>> {
    this.#expect('[{]');
    const entries: [string, TerraformValue][] = [];
    while (this.#next('[}]') === undefined) {
      const name = this.#expect('[\\w-]+');
      this.#expect('=');
      entries.push([name, this.value()]);
      this.#next(',');
    }
    return Object.fromEntries(entries);
  }

  #list(): readonly TerraformValue[] {
    const items: TerraformValue[] = [];
    while (this.#next('[\\]]') === undefined) {
      items.push(this.value());
      this.#next(',');
    }
    return items;
  }

  #variable(): TerraformValue {
    const name = this.#expect('var\\.\\w+').slice('var.'.length);
    const value = this.#variables[name];
    if (value === undefined) {
      throw new Error(`The variable ${name} has no value.`);
    }
    return value;
  }

  #expect(pattern: string): string {
    const found = this.#next(pattern);
    if (found === undefined) {
      const [line] = this.#text.slice(this.#at).split('\n');
      throw new Error(`Terraform must evaluate this, or the lab learn to: ${line}`);
    }
    return found;
  }

  #peek(pattern: string): boolean {
    const at = this.#at;
    const found = this.#next(pattern);
    this.#at = at;
    return found !== undefined;
  }

  /** Returns the text that matches after blanks and comments, and moves past it; `undefined` if nothing matches. */
  #next(pattern: string): string | undefined {
    const token = new RegExp(`(?:\\s|#.*(?:\\n|$))*(${pattern})`, 'y');
    token.lastIndex = this.#at;
    const found = token.exec(this.#text)?.[1];
    this.#at = found === undefined ? this.#at : token.lastIndex;
    return found;
  }
}
