import * as z from 'zod/mini';
import type { CloudDriver, CloudGround } from '../../src/agent/clouds/driver.ts';
import { clouds } from '../../src/agent/clouds/index.ts';
import { url } from '../../src/agent/settings/address-forms.ts';
import { text, words } from '../../src/agent/settings/forms.ts';
import { about } from '../../src/agent/settings/section.ts';
import { FakeCloud } from './fake-cloud.ts';

const schema = about(
  'For cloud moon.',
  z.strictObject({
    tower: about('Where mission control answers.', url),
    crater: about('Where the lander stands.', z.optional(words)),
  }),
);

/** The argument of each call of the made-up cloud's `create` so far, oldest first. */
export const landings: CloudGround<{ readonly tower: string }>[] = [];

/**
 * A cloud that src does not contain. It works only if src reads everything that depends on the cloud from the table of
 * clouds.
 */
const moon: CloudDriver<typeof schema> = {
  summary: 'asks mission control',
  remark: 'one small step',
  signs: { cloudId: 'moon', dmi: { sys_vendor: 'Moon' } },
  settings: {
    schema,
    defaults: { tower: 'http://169.254.0.23' },
    misfits: ({ crater }) =>
      crater === 'rim' ? [{ path: ['crater'], message: 'is no place to land; choose another' }] : [],
    plainHttp: () => [{ path: ['tower'], risk: 'fly the lander' }],
  },
  secretName: text(/^[A-Z][a-z]+$/, 'be the name of a crater'),
  tags: 'absent',
  metadata: {
    locate: ({ tower }) => ({
      address: new URL(tower).hostname,
      only: { protocol: 'tcp', port: 80 },
      setting: 'moon.tower',
    }),
  },
  events: 'absent',
  hints: {
    firewall: 'the vacuum',
    nameServers: 'the almanac',
    openRegistry: 'Open the airlock.',
    permitPull: 'Ask Houston.',
    checkLogin: 'Ask Houston again.',
    reachStorage: 'Take a rover.',
  },
  registries: {
    isFirewall: (said) => said.includes('airlock'),
    isSame: (host, loginServer) => host === `far.${loginServer}`,
  },
  loginRenewers: ['refuel'],
  scrubbedVariables: [],
  create(ground) {
    landings.push(ground);
    return new FakeCloud();
  },
};

/** The table of the real clouds, plus the made-up cloud. */
export const withMoon = { ...clouds, moon };
