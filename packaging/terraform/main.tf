data "azurerm_client_config" "current" {}

resource "azurerm_resource_group" "made" {
  count    = var.resource_group_name == null ? 1 : 0
  name     = "${var.name}-rg"
  location = var.location
}

locals {
  group     = var.resource_group_name == null ? azurerm_resource_group.made[0].name : var.resource_group_name
  server_ip = cidrhost(var.subnet, 4)

  server = { "${var.name}-server" = { role = "server", size = var.size } }
  others = merge(
    { for name, agent in var.agents : "${var.name}-${name}" => { role = "agent", size = coalesce(agent.size, var.size) } },
    { for name in var.observability ? ["observability"] : [] : "${var.name}-${name}" => { role = "observability", size = var.size } },
  )
  nodes = merge(local.server, local.others)
  roles = toset([for node in local.nodes : node.role])
}
