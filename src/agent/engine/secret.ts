import { inspect } from 'node:util';

/** The text that a reader sees instead of a secret. */
export const redacted = '‹redacted›';

/**
 * A text that must not be shown. `shown` replaces the text wherever the Secret is printed, interpolated, logged or
 * serialised.
 *
 * Only `reveal()` returns the text itself, so a search for that name finds every place that uses a secret.
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

/** A text that may contain secrets: a file's content, a header, or an environment variable of a child process. */
export type Content = string | Secret;

/** Returns the text itself, including its secrets. */
export function reveal(content: Content): string {
  return typeof content === 'string' ? content : content.reveal();
}

/**
 * Builds a text that contains secrets. `write` is called for the text itself, and again when the text is shown to
 * readers.
 *
 * `sensitive((show) => 'password: ' + show(token))`
 */
export function sensitive(write: (show: (secret: Secret) => string) => string): Secret {
  return new Secret(
    write((secret) => secret.reveal()),
    () => write((secret) => secret.toString()),
  );
}
