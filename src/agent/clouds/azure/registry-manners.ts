import type { RegistryManners } from '../driver.ts';

/** How container registries differ from others (Azure/acr, docs/Token-BasicAuth.md; "Container registry firewall"). */
export const registryManners: RegistryManners = {
  isFirewall: (said) => /client with IP|aka\.ms\/acr\/firewall/i.test(said),
  // A regional endpoint may redirect to the global one: `team.westeurope.geo.azurecr.io`, `team.azurecr.io`.
  isSame: (host, loginServer) => host === loginServer.replace(/^([^.]+)\.[^.]+\.geo\./, '$1.'),
};
