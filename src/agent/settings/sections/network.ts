import * as z from 'zod/mini';
import { url } from '../address-forms.ts';
import { addressRange, directHost, words } from '../forms.ts';
import { interfaceName, privateRange } from '../network-forms.ts';
import { given, type Problem } from '../path.ts';
import { about, type SensitiveUrl, type SettingsSection, type Written } from '../section.ts';

const nat = about(
  'NAT for private hosts, which connect to the internet through this node (see nat.md). Needs nftables.',
  z.strictObject({
    from: about(
      'The ranges of the private hosts. A range that you remove keeps its NAT until you consent (consent.natRemoval).',
      z.array(privateRange),
    ),
    except: about(
      'Destinations to which this node applies no NAT, such as the whole private network.',
      z.array(addressRange),
    ),
    interface: about(
      'The network interface to the internet; by default the interface of the default route.',
      z.optional(interfaceName),
    ),
  }),
);

const schema = about(
  'How this node connects to other hosts.',
  z.strictObject({
    proxy: about(
      'The HTTP proxy through which Slipway downloads files and connects to the cloud, and which K3s uses.',
      z.optional(url),
    ),
    proxyCredentialsFile: about(
      'The file with the login for the proxy: one line user:password, mode 0600, owned by root. K3s does not read this file, and needs the login in its environment file.',
      z.optional(words),
    ),
    noProxy: about(
      'Hosts to which Slipway and K3s connect without the proxy: host names, addresses, CIDR ranges, and domain suffixes such as .example.com.',
      z.array(directHost),
    ),
    caFile: about(
      'A PEM file with further CAs to trust, such as the CA of a proxy that signs certificates.',
      z.optional(words),
    ),
    nat,
  }),
);

export const network = {
  schema,
  defaults: { noProxy: [], nat: { from: [], except: [] } },
  misfits: loginWithoutProxy,
  plainHttp: proxyOfLogin,
} as const satisfies SettingsSection<typeof schema>;

function loginWithoutProxy({ proxy, proxyCredentialsFile }: Written): readonly Problem[] {
  const message = 'is the login for network.proxy, which is not set; set network.proxy, or leave this out';
  return given(proxyCredentialsFile) && !given(proxy) ? [{ path: ['proxyCredentialsFile'], message }] : [];
}

function proxyOfLogin({ proxyCredentialsFile }: Written): readonly SensitiveUrl[] {
  const risk = 'read the login of network.proxyCredentialsFile';
  return given(proxyCredentialsFile) ? [{ path: ['proxy'], risk }] : [];
}
