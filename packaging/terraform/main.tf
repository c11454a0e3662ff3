data "azurerm_client_config" "current" {}

resource "azurerm_resource_group" "made" {
  count    = var.resource_group_name == null ? 1 : 0
  name     = "${var.name}-rg"
  location = var.location
}

locals {
  group = var.resource_group_name == null ? azurerm_resource_group.made[0].name : var.resource_group_name
}
