# The place of backups and of the claim to the cluster. Only the nodes' subnet reaches it, only with an identity.
resource "azurerm_storage_account" "backup" {
  count                           = var.backup_account_name == null ? 0 : 1
  name                            = var.backup_account_name
  location                        = var.location
  resource_group_name             = local.group
  account_tier                    = "Standard"
  account_replication_type        = var.backup_replication
  min_tls_version                 = "TLS1_2"
  shared_access_key_enabled       = false
  allow_nested_items_to_be_public = false

  # What a server, or an attacker on a server, deletes or overwrites can be restored for 30 days. The role below does not
  # include the right to delete for good.
  blob_properties {
    delete_retention_policy {
      days = 30
    }
    container_delete_retention_policy {
      days = 30
    }
  }

  network_rules {
    default_action             = "Deny"
    bypass                     = []
    virtual_network_subnet_ids = [azurerm_subnet.nodes.id]
  }
}

resource "azurerm_storage_container" "backup" {
  count                 = var.backup_account_name == null ? 0 : 1
  name                  = "backups"
  storage_account_id    = azurerm_storage_account.backup[0].id
  container_access_type = "private"
}

# Only servers write backups, and only to this container. Slipway removes old backups itself, so the role includes
# deletion; a role of one's own without it would need the right to define roles.
resource "azurerm_role_assignment" "backup" {
  count                            = var.backup_account_name == null ? 0 : 1
  scope                            = azurerm_storage_container.backup[0].id
  role_definition_name             = "Storage Blob Data Contributor"
  principal_id                     = azurerm_user_assigned_identity.node["server"].principal_id
  skip_service_principal_aad_check = true
}
