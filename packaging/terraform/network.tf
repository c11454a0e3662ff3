resource "azurerm_virtual_network" "fleet" {
  name                = "${var.name}-vnet"
  location            = var.location
  resource_group_name = local.group
  address_space       = [var.address_space]
}

resource "azurerm_subnet" "nodes" {
  name                            = "nodes"
  resource_group_name             = local.group
  virtual_network_name            = azurerm_virtual_network.fleet.name
  address_prefixes                = [var.subnet]
  default_outbound_access_enabled = false
  # These endpoints let the vault and the storage account recognize the nodes by their subnet.
  service_endpoints = concat(["Microsoft.KeyVault"], var.backup_account_name == null ? [] : ["Microsoft.Storage"])
}

resource "azurerm_network_security_group" "nodes" {
  name                = "${var.name}-nodes"
  location            = var.location
  resource_group_name = local.group
}

resource "azurerm_network_security_rule" "inbound" {
  for_each                    = local.inbound
  name                        = each.key
  resource_group_name         = local.group
  network_security_group_name = azurerm_network_security_group.nodes.name
  direction                   = "Inbound"
  access                      = "Allow"
  priority                    = each.value.priority
  protocol                    = each.value.protocol
  source_address_prefixes     = each.value.sources
  source_port_range           = "*"
  destination_port_ranges     = each.value.ports

  # A rule has a range of addresses, several addresses or a group as its destination, never two of them.
  destination_address_prefix                 = each.value.to == "nodes" ? var.subnet : null
  destination_address_prefixes               = each.value.to == "servers" ? local.server_ips : null
  destination_application_security_group_ids = each.value.to == "ingress" ? azurerm_application_security_group.ingress[*].id : null
}

# Deny all other traffic: Azure's default rules admit the whole virtual network.
resource "azurerm_network_security_rule" "nothing_else" {
  name                        = "nothing-else"
  resource_group_name         = local.group
  network_security_group_name = azurerm_network_security_group.nodes.name
  direction                   = "Inbound"
  access                      = "Deny"
  priority                    = 4000
  protocol                    = "*"
  source_address_prefix       = "VirtualNetwork"
  source_port_range           = "*"
  destination_address_prefix  = "*"
  destination_port_range      = "*"
}

resource "azurerm_subnet_network_security_group_association" "nodes" {
  subnet_id                 = azurerm_subnet.nodes.id
  network_security_group_id = azurerm_network_security_group.nodes.id
}

# The gateway for outgoing connections: K3s, images, Azure's APIs.
resource "azurerm_public_ip" "out" {
  count               = var.nat_gateway ? 1 : 0
  name                = "${var.name}-out"
  location            = var.location
  resource_group_name = local.group
  allocation_method   = "Static"
  sku                 = "Standard"
}

resource "azurerm_nat_gateway" "out" {
  count               = var.nat_gateway ? 1 : 0
  name                = "${var.name}-out"
  location            = var.location
  resource_group_name = local.group
  sku_name            = "Standard"
}

resource "azurerm_nat_gateway_public_ip_association" "out" {
  count                = var.nat_gateway ? 1 : 0
  nat_gateway_id       = azurerm_nat_gateway.out[0].id
  public_ip_address_id = azurerm_public_ip.out[0].id
}

resource "azurerm_subnet_nat_gateway_association" "out" {
  count          = var.nat_gateway ? 1 : 0
  subnet_id      = azurerm_subnet.nodes.id
  nat_gateway_id = azurerm_nat_gateway.out[0].id
}

# The public entry: an address of the ingress node, and a group by which the rule for web traffic finds this node.
resource "azurerm_public_ip" "ingress" {
  count               = var.ingress ? 1 : 0
  name                = "${var.name}-ingress"
  location            = var.location
  resource_group_name = local.group
  allocation_method   = "Static"
  sku                 = "Standard"
}

resource "azurerm_application_security_group" "ingress" {
  count               = var.ingress ? 1 : 0
  name                = "${var.name}-ingress"
  location            = var.location
  resource_group_name = local.group
}

resource "azurerm_network_interface_application_security_group_association" "ingress" {
  count                         = var.ingress ? 1 : 0
  network_interface_id          = azurerm_network_interface.other["${var.name}-ingress"].id
  application_security_group_id = azurerm_application_security_group.ingress[0].id
}
