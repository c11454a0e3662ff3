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
  # This endpoint lets the vault recognize the nodes by their subnet.
  service_endpoints = ["Microsoft.KeyVault"]
}

# Only nodes may connect to a node, on three ports; 8472/udp carries the traffic between pods.
locals {
  inbound = merge(
    {
      kubernetes-api = { priority = 100, protocol = "Tcp", port = "6443", sources = [var.subnet] }
      kubelet        = { priority = 110, protocol = "Tcp", port = "10250", sources = [var.subnet] }
      flannel-vxlan  = { priority = 120, protocol = "Udp", port = "8472", sources = [var.subnet] }
    },
    { for name in length(var.ssh_sources) > 0 ? ["ssh"] : [] : name => { priority = 130, protocol = "Tcp", port = "22", sources = var.ssh_sources } },
  )
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
  destination_address_prefix  = var.subnet
  destination_port_range      = each.value.port
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
