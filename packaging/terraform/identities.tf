resource "azurerm_container_registry" "fleet" {
  name                = var.registry_name
  location            = var.location
  resource_group_name = local.group
  sku                 = var.registry_sku
  admin_enabled       = false
}

resource "azurerm_user_assigned_identity" "node" {
  for_each            = local.roles
  name                = "${var.name}-${each.key}"
  location            = var.location
  resource_group_name = local.group
}

# Each role reads only its own secrets: the scope is the secret, not the vault.
locals {
  readable = merge(
    { server-server = { role = "server", secret = azurerm_key_vault_secret.server.resource_versionless_id } },
    { for role in local.roles : "${role}-agent" => { role = role, secret = azurerm_key_vault_secret.agent.resource_versionless_id } },
    { for secret in azurerm_key_vault_secret.flux : "server-flux" => { role = "server", secret = secret.resource_versionless_id } },
  )
}

resource "azurerm_role_assignment" "secret" {
  for_each                         = local.readable
  scope                            = each.value.secret
  role_definition_name             = "Key Vault Secrets User"
  principal_id                     = azurerm_user_assigned_identity.node[each.value.role].principal_id
  skip_service_principal_aad_check = true
}

resource "azurerm_role_assignment" "pull" {
  for_each                         = local.roles
  scope                            = azurerm_container_registry.fleet.id
  role_definition_name             = var.pull_role
  principal_id                     = azurerm_user_assigned_identity.node[each.key].principal_id
  skip_service_principal_aad_check = true
}
