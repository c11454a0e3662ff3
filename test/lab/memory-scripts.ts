import { isDeepStrictEqual } from 'node:util';

/** What a test expects to be asked for, and the answer. */
interface Script<Question, Answer> {
  readonly name: string;
  readonly matches: (question: Question) => boolean;
  readonly answer: (question: Question) => Answer | Promise<Answer>;
  readonly once: boolean;
  used: boolean;
}

/** The scripted answers to one kind of question. The newest that matches answers; those for once go first, in turn. */
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

  /** The answer, or a plain Error that names the question: nothing happens in a test that the test did not foresee. */
  async answer(question: Question, named: string): Promise<Answer> {
    const fitting = this.#scripts.filter((script) => script.matches(question));
    const script = fitting.find(({ once, used }) => once && !used) ?? fitting.findLast(({ once }) => !once);
    if (script === undefined) throw new Error(`The test did not foresee: ${named}`);
    script.used = true;
    return script.answer(question);
  }

  unused(): readonly string[] {
    return this.#scripts.filter(({ used }) => !used).map(({ name }) => name);
  }
}

/** A text, a pattern, or a judge of its own. */
export type Matcher = string | RegExp | ((text: string) => boolean);

export function fits(matcher: Matcher, text: string): boolean {
  if (typeof matcher === 'string') return matcher === text;
  return typeof matcher === 'function' ? matcher(text) : matcher.test(text);
}

/** Arguments: exactly these, a pattern over them joined by blanks, or a judge. */
export type ArgsMatcher = readonly string[] | RegExp | ((args: readonly string[]) => boolean);

export function argsFit(matcher: ArgsMatcher | undefined, args: readonly string[]): boolean {
  if (matcher === undefined) return true;
  if (typeof matcher === 'function') return matcher(args);
  return matcher instanceof RegExp ? matcher.test(args.join(' ')) : isDeepStrictEqual(matcher, args);
}
