import type { CloudHints } from '../driver.ts';

export const azureHints: CloudHints = {
  firewall: 'the network security group',
  nameServers: 'the DNS servers of the virtual network and its private DNS zones',
  openRegistry:
    "Allow the VM's subnet in the registry's networking settings, or give the registry a private endpoint.",
  permitPull:
    'Assign the identity of this VM the role AcrPull, or Container Registry Repository Reader if the registry uses ABAC; that can take ten minutes to work.',
  checkLogin: 'Check that the identity of this VM still has its role there.',
  // The hosts are from "Azure Container Registry endpoint reference".
  reachStorage:
    'Let this VM through to *.blob.core.windows.net, or to REGISTRY.REGION.data.azurecr.io if the registry has data endpoints; a private endpoint needs a DNS record for its data endpoint, too.',
};
