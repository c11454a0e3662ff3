resource "azurerm_key_vault" "fleet" {
  name                       = var.key_vault_name
  location                   = var.location
  resource_group_name        = local.group
  tenant_id                  = data.azurerm_client_config.current.tenant_id
  sku_name                   = "standard"
  rbac_authorization_enabled = true
  purge_protection_enabled   = var.purge_protection

  network_acls {
    bypass                     = "None"
    default_action             = var.key_vault_sources == null ? "Allow" : "Deny"
    ip_rules                   = var.key_vault_sources
    virtual_network_subnet_ids = [azurerm_subnet.nodes.id]
  }
}

# The account that runs Terraform writes the secrets.
resource "azurerm_role_assignment" "writer" {
  scope                = azurerm_key_vault.fleet.id
  role_definition_name = "Key Vault Secrets Officer"
  principal_id         = data.azurerm_client_config.current.object_id
}

# Azure takes a while to propagate a role. If this wait is too short, a second apply continues.
resource "time_sleep" "writer" {
  depends_on      = [azurerm_role_assignment.writer]
  create_duration = "2m"
}

# Terraform generates this password at every apply, stores it nowhere, and writes it only for a new secrets_version.
ephemeral "random_password" "server" {
  length  = 64
  special = false
}

ephemeral "random_password" "agent" {
  length  = 64
  special = false
}

resource "azurerm_key_vault_secret" "server" {
  name             = "k3s-token"
  key_vault_id     = azurerm_key_vault.fleet.id
  value_wo         = ephemeral.random_password.server.result
  value_wo_version = var.secrets_version
  depends_on       = [time_sleep.writer]
}

# Agents have a separate token, so that none of them sees the server's.
resource "azurerm_key_vault_secret" "agent" {
  name             = "k3s-agent-token"
  key_vault_id     = azurerm_key_vault.fleet.id
  value_wo         = ephemeral.random_password.agent.result
  value_wo_version = var.secrets_version
  depends_on       = [time_sleep.writer]
}

resource "azurerm_key_vault_secret" "flux" {
  count            = var.flux == null ? 0 : 1
  name             = "flux-git-token"
  key_vault_id     = azurerm_key_vault.fleet.id
  value_wo         = var.flux_git_token
  value_wo_version = var.secrets_version
  depends_on       = [time_sleep.writer]
}
