import type { CloudHints } from '../driver.ts';

export const oracleHints: CloudHints = {
  firewall: 'the security list of the subnet',
  nameServers: 'the resolver of the virtual cloud network',
  openRegistry:
    'Let the subnet out to the registry by a service gateway, a NAT gateway or the node that routes.',
  permitPull:
    'Permit the dynamic group of this VM to read repos in the compartment of the repository; that can take some minutes to work.',
  checkLogin: 'Check that a policy still permits the dynamic group of this VM to read repos there.',
  reachStorage: 'Let this VM through to *.oraclecloud.com, or give its subnet a service gateway.',
};
