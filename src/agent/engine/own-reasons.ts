/** The reasons that the engine itself reports, each with its meaning. */
export const engineReasons = {
  InSync: 'Everything that the condition covers is in the desired state.',
  Changed: 'This pass (one check of the whole node) changed something; the next pass verifies the change.',
  Recorded: 'A dry run recorded the step instead of doing it.',
  InProgress: 'A job that takes longer than a pass is running; the message names the job and its start.',
  Blocked: 'The resource waits for another resource, which the message names.',
  DidNotConverge:
    'Slipway made the same change repeatedly, and the change never lasted: another program probably writes the same fields.',
  InternalError: 'Slipway has a defect: please report it with the message.',
} as const;
