/** The reasons of the engine. */
export const engineReasons = {
  InSync: 'The node is as it should be.',
  Changed: 'Something was changed in this pass; the next pass verifies it.',
  Recorded: 'A dry run noted this instead of doing it.',
  InProgress: 'A job that takes longer than a pass is running; the message says which, and since when.',
  Blocked: 'Waits for another resource, which is named.',
  DidNotConverge: 'The same change was made again and again and never held: something else writes there too.',
  InternalError: 'A defect in Slipway: please report it with the message.',
} as const;
