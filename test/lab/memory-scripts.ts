import { isDeepStrictEqual } from 'node:util';

/** An expected call and its answer. */
interface Script<Question, Answer> {
  readonly name: string;
  readonly matches: (question: Question) => boolean;
  readonly answer: (question: Question) => Answer | Promise<Answer>;
  readonly once: boolean;
  used: boolean;
}

/**
 * The scripted answers to one type of call. The oldest unused one-time script that matches takes precedence, followed
 * by the newest permanent script that matches.
 */
export class Scripts<Question, Answer> {
  readonly #scripts: Script<Question, Answer>[] = [];

  add(
    name: string,
    matches: (question: Question) => boolean,
    answer: (question: Question) => Answer | Promise<Answer>,
    once = false,
  ): void {
    this.#scripts.push({ name, matches, answer, once, used: false });
  }

  /** Resolves to the answer to a call; rejects with a plain Error that names the call if no script matches. */
  async answer(question: Question, named: string): Promise<Answer> {
    const fitting = this.#scripts.filter((script) => script.matches(question));
    const script = fitting.find(({ once, used }) => once && !used) ?? fitting.findLast(({ once }) => !once);
    if (script === undefined) {
      throw new Error(`The test did not foresee: ${named}`);
    }
    script.used = true;
    return script.answer(question);
  }

  unused(): readonly string[] {
    return this.#scripts.filter(({ used }) => !used).map(({ name }) => name);
  }
}

/** The condition for a string: an equal string, a pattern or a predicate. */
export type Matcher = string | RegExp | ((text: string) => boolean);

export function fits(matcher: Matcher, text: string): boolean {
  if (typeof matcher === 'string') {
    return matcher === text;
  }
  return typeof matcher === 'function' ? matcher(text) : matcher.test(text);
}

/** The condition for arguments: equal arguments, a pattern for the arguments joined by spaces, or a predicate. */
export type ArgsMatcher = readonly string[] | RegExp | ((args: readonly string[]) => boolean);

export function argsFit(matcher: ArgsMatcher | undefined, args: readonly string[]): boolean {
  if (matcher === undefined) {
    return true;
  }
  if (typeof matcher === 'function') {
    return matcher(args);
  }
  return matcher instanceof RegExp ? matcher.test(args.join(' ')) : isDeepStrictEqual(matcher, args);
}
