/** The reasons that the engine itself reports, each with its meaning. */
export const engineReasons = {
  InSync: 'The node is as it should be.',
  Changed: 'This pass changed something; the next pass verifies the change.',
  Recorded: 'A dry run recorded the step instead of doing it.',
  InProgress: 'A job that takes longer than a pass is running; the message names the job and its start.',
  Blocked: 'The resource waits for another, which the message names.',
  DidNotConverge:
    'The same change was made repeatedly and never lasted, because another program also writes there.',
  InternalError: 'Slipway has a defect: please report it with the message.',
} as const;
