import type { Path } from './path.ts';

/** What is wrong with one setting: `what is wrong; the repair`. It never quotes a value, which may be a secret. */
export interface Problem {
  readonly path: Path;
  readonly message: string;
}
