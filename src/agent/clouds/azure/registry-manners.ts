import type { RegistryManners } from '../driver.ts';

/**
 * The ways in which Azure's container registries differ from others (Azure/acr, docs/Token-BasicAuth.md; "Container
 * registry firewall").
 */
export const registryManners: RegistryManners = {
  isFirewall: (said) => /client with IP|aka\.ms\/acr\/firewall/i.test(said),
  // A regional endpoint such as `team.westeurope.geo.azurecr.io` may redirect to the global `team.azurecr.io`.
  isSame: (host, loginServer) => host === loginServer.replace(/^([^.]+)\.[^.]+\.geo\./, '$1.'),
};
