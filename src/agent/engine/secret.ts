import { inspect } from 'node:util';

/** The text that a reader sees in place of a secret. */
export const redacted = '‹redacted›';

/**
 * A text that must not be seen: `shown` appears however it is printed, interpolated, logged or serialised.
 *
 * Only `reveal()` gives the text itself, so every place that uses a secret can be found by that name.
 */
export class Secret {
  readonly #value: string;
  readonly #shown: string | (() => string);

  constructor(value: string, shown: string | (() => string) = redacted) {
    this.#value = value;
    this.#shown = shown;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return typeof this.#shown === 'string' ? this.#shown : this.#shown();
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** A text that may hold secrets: a file's content, a header, a variable in a child's environment. */
export type Content = string | Secret;

/** Returns the true text. */
export function reveal(content: Content): string {
  return typeof content === 'string' ? content : content.reveal();
}

/**
 * Builds a text around secrets: `write` is called for the true text, and again when the text is shown to readers.
 *
 * `sensitive((show) => 'password: ' + show(token))`
 */
export function sensitive(write: (show: (secret: Secret) => string) => string): Secret {
  return new Secret(
    write((secret) => secret.reveal()),
    () => write((secret) => secret.toString()),
  );
}
