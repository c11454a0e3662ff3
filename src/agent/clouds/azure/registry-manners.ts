import type { RegistryManners } from '../driver.ts';

/**
 * The differences between Azure's container registries and others (Azure/acr, docs/Token-BasicAuth.md; "Container
 * registry firewall").
 */
export const registryManners: RegistryManners = {
  isFirewall: (said) => /client with IP|aka\.ms\/acr\/firewall/i.test(said),
  // A regional endpoint such as `team.westeurope.geo.azurecr.io` may redirect to the global `team.azurecr.io`.
  isSame: (host, loginServer) => host === loginServer.replace(/^([^.]+)\.[^.]+\.geo\./, '$1.'),
};
