/** A phrase that reads as if it were translated, and what a native writer would use instead. */
interface Phrase {
  readonly pattern: RegExp;
  readonly instead: string;
  /** A sentence that contains the phrase. */
  readonly wrong: string;
  /** The same sentence without the phrase. */
  readonly right: string;
}

/** The phrases that `npm run prose` finds. A passage is matched as one line, so a phrase may span a line break. */
export const phrases: readonly Phrase[] = [
  {
    pattern: /\bwhere (?:it|there|they|this|none|no|nothing|neither|either|all|both|one)\b/i,
    instead: 'if, when',
    wrong: 'Returns `undefined` where there is no file.',
    right: 'Returns `undefined` if there is no file.',
  },
  {
    pattern: /\b(?:is|are|was|were|be|been|being) (?:also |only |still |then |not )?(?:told|said)\b/i,
    instead: 'is reported, is logged',
    wrong: 'A smaller disk is told as a warning.',
    right: 'A smaller disk is reported as a warning.',
  },
  {
    pattern: /\b(?:it|that|which|condition|status|message|log|journal|slipway|file|page) tells?\b/i,
    instead: 'reports, shows, logs, says',
    wrong: 'The condition tells of a login that ended.',
    right: 'The condition reports a login that ended.',
  },
  {
    pattern: /\b(?:is|are|was|were) none\b/i,
    instead: 'is not a ..., is invalid, does not exist',
    wrong: 'Refuses a schedule that is none.',
    right: 'Refuses an invalid schedule.',
  },
  {
    pattern: /\b(?:nobody|somebody|whoever|whomever)\b/i,
    instead: 'nothing, no process, an operator, the caller',
    wrong: 'The lock is free as soon as nobody holds it.',
    right: 'The lock is free as soon as no process holds it.',
  },
  {
    pattern: /\bput(?:s|ting)? (?:it |them |that |this |what \w+ )?right\b/i,
    instead: 'corrected',
    wrong: 'The mode of the file is put right.',
    right: 'The mode of the file is corrected.',
  },
  {
    pattern: /\b(?:is|are|was|were) (?:well|bad)\b(?!-| known| formed| before| below| above| within)/i,
    instead: 'healthy, failed',
    wrong: 'The node is well again.',
    right: 'The node is healthy again.',
  },
  {
    pattern: /\b(?:hold(?:s|ing)? up (?:nobody|nothing|what|others|all|the)|go(?:es)? ahead)\b/i,
    instead: 'blocks, does not block',
    wrong: 'A failure here holds up the start of K3s.',
    right: 'A failure here blocks the start of K3s.',
  },
  {
    pattern: /\bso many (?:attempts|times|milliseconds|seconds|ms|bytes)\b/i,
    instead: 'the name of the parameter',
    wrong: 'Tries so many times.',
    right: 'Tries `attempts` times.',
  },
  {
    pattern: /\b(?:is|are|be|was|were) (?:an)?other than\b/i,
    instead: 'differs from',
    wrong: 'The digest is another than the one of the start.',
    right: 'The digest differs from the one of the start.',
  },
  {
    pattern: /\bleave for\b/i,
    instead: 'permission for',
    wrong: 'Leave for what could harm a cluster.',
    right: 'Permission for what could harm a cluster.',
  },
  {
    pattern: /\bwhat (?:waits|drifted|was just|was put|is none|is no)\b/i,
    instead: 'a waiting condition, a correction: a noun',
    wrong: 'What waits for minutes is looked at less often.',
    right: 'A condition that waits for minutes is checked less often.',
  },
  {
    pattern:
      /\bis no (?!longer\b|more\b|less\b|later\b|earlier\b|older\b|newer\b|room\b|need\b|way\b|\w+er than\b)(?!\w+ (?:for|to|in|on|at|of|there)\b)(?<!there is no )/i,
    instead: 'is not a',
    wrong: 'A directory is no file.',
    right: 'A directory is not a file.',
  },
  {
    pattern: /\bhas no power\b/i,
    instead: 'ignores, is ignored',
    wrong: 'An executable on which the environment has no power.',
    right: 'An executable that ignores the environment.',
  },
];
