import { isIPv6 } from 'node:net';
import * as z from 'zod/mini';
import { isReachable } from '../../settings/address-forms.ts';
import { text } from '../../settings/forms.ts';

const must =
  'must be a host name, an address or an https URL without a path such as 10.0.0.4 or https://10.0.0.4:6443';

/** The address of a K3s server: a host name or an IP address, with or without a port and with or without `https://`. */
export const serverAddress = z
  .string(`${must}; write it as text`)
  .check(
    z.regex(
      /^(?:https:\/\/)?(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?\/?$|^[0-9A-Fa-f]*:[0-9A-Fa-f:]+$/,
      must,
    ),
    z.refine(isAddress, 'must have a valid address and port, such as 10.0.0.4 or https://10.0.0.4:6443'),
  );

/**
 * True for a valid address. The check is needed because the pattern of `serverAddress` also matches invalid ones, such
 * as 10.0.0.256 or a port of 99999.
 */
function isAddress(value: string): boolean {
  const bare = value.replace(/^https:\/\//, '');
  return isReachable(`https://${isIPv6(bare) ? `[${bare}]` : bare}`);
}

/** The path of a file that K3s reads. */
export const filePath = text(
  /^\/\S+$/,
  'be an absolute path without blanks such as /etc/slipway/datastore-ca.pem',
);
