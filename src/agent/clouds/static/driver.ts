import type { CloudDriver } from '../driver.ts';
import { staticSettings } from './settings.ts';
import { staticCloud } from './static.ts';

/** The driver for a machine outside any cloud, whose settings contain what a cloud would know. */
export const staticDriver: CloudDriver<typeof staticSettings.schema> = {
  summary: 'takes everything from these settings',
  remark: 'everything from the settings',
  settings: staticSettings,
  signs: 'absent',
  tags: 'settings',
  metadata: {
    named: 'static.metadata',
    locate: ({ metadata = [] }) =>
      metadata.map(({ address, port, protocol = 'tcp' }) => ({
        address,
        ...(port !== undefined && { only: { protocol, port } }),
        setting: 'static.metadata',
      })),
  },
  events: 'absent',
  hints: {
    firewall: 'every firewall on the way',
    nameServers: 'the DNS servers that this machine asks',
    openRegistry: "Let this machine's address through the firewall of the registry.",
    permitPull: 'Let the user that static.registries names pull it.',
    checkLogin: 'Check the user name and the password in static.registries.',
    reachStorage: 'Let this machine through to it.',
  },
  scrubbedVariables: [],
  create: staticCloud,
};
