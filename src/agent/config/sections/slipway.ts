import * as z from 'zod/mini';
import { about } from '../about.ts';

export const consent = about(
  'Leave for what could harm a cluster; take it back when it is done.',
  z.strictObject({
    tokenChange: about('Replace the join token of an installed node.', z.boolean()),
    roleChange: about('Rebuild this node as another kind of K3s node.', z.boolean()),
    serverChange: about('Join a server with another CA or address.', z.boolean()),
    foreignMirrors: about(
      'Mirror a login server elsewhere, or leave its certificate unchecked: either may show its credential to strangers.',
      z.boolean(),
    ),
  }),
);

export const log = about(
  'What Slipway says.',
  z.strictObject({
    level: about('The least that is logged.', z.enum(['trace', 'debug', 'info', 'warn', 'error'])),
  }),
);
