import { inspect } from 'node:util';

/** The text that a reader sees instead of a secret. */
export const redacted = '‹redacted›';

/**
 * A string that must not be shown. `shown` replaces the string wherever the Secret is printed, interpolated, logged or
 * serialised.
 *
 * Only `reveal()` returns the string itself, so a search for that name finds every place that uses a secret.
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

/** A string that may contain secrets: a file's content, a header, or an environment variable of a child process. */
export type Content = string | Secret;

/** Returns the full string, including any secrets. */
export function reveal(content: Content): string {
  return typeof content === 'string' ? content : content.reveal();
}

/**
 * Builds a string that contains secrets. Calls `write` once with the real values, and again with the redacted values
 * each time the string is shown.
 *
 * `sensitive((show) => 'password: ' + show(token))`
 */
export function sensitive(write: (show: (secret: Secret) => string) => string): Secret {
  return new Secret(
    write((secret) => secret.reveal()),
    () => write((secret) => secret.toString()),
  );
}
