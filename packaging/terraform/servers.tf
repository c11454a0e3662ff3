# The address of several servers: an internal load balancer for port 6443. Agents need it only for the first contact.
# Servers find each other by their own addresses, because a VM behind an internal load balancer cannot reach itself there.
resource "azurerm_lb" "servers" {
  count               = local.balanced ? 1 : 0
  name                = "${var.name}-servers"
  location            = var.location
  resource_group_name = local.group
  sku                 = "Standard"

  frontend_ip_configuration {
    name                          = "kubernetes-api"
    subnet_id                     = azurerm_subnet.nodes.id
    private_ip_address_allocation = "Static"
    private_ip_address            = local.registration_ip
  }
}

resource "azurerm_lb_backend_address_pool" "servers" {
  count           = local.balanced ? 1 : 0
  name            = "servers"
  loadbalancer_id = azurerm_lb.servers[0].id
}

# The probe connects by TCP: Azure demands of an HTTPS probe a chain of certificates that K3s does not promise.
resource "azurerm_lb_probe" "api" {
  count               = local.balanced ? 1 : 0
  name                = "kubernetes-api"
  loadbalancer_id     = azurerm_lb.servers[0].id
  protocol            = "Tcp"
  port                = 6443
  interval_in_seconds = 5
}

resource "azurerm_lb_rule" "api" {
  count                          = local.balanced ? 1 : 0
  name                           = "kubernetes-api"
  loadbalancer_id                = azurerm_lb.servers[0].id
  frontend_ip_configuration_name = "kubernetes-api"
  backend_address_pool_ids       = azurerm_lb_backend_address_pool.servers[*].id
  probe_id                       = azurerm_lb_probe.api[0].id
  protocol                       = "Tcp"
  frontend_port                  = 6443
  backend_port                   = 6443
  idle_timeout_in_minutes        = 30
}

resource "azurerm_network_interface_backend_address_pool_association" "server" {
  for_each                = { for name, server in local.servers : name => server if local.balanced }
  network_interface_id    = local.server_interfaces[each.key]
  ip_configuration_name   = "nodes"
  backend_address_pool_id = azurerm_lb_backend_address_pool.servers[0].id
}

# The servers besides the first one.
resource "azurerm_network_interface" "joining" {
  for_each            = local.joining
  name                = each.key
  location            = var.location
  resource_group_name = local.group

  ip_configuration {
    name                          = "nodes"
    subnet_id                     = azurerm_subnet.nodes.id
    private_ip_address_allocation = "Static"
    private_ip_address            = each.value.ip
  }
}

locals {
  server_interfaces = merge(
    { for name in keys(local.first) : name => azurerm_network_interface.server.id },
    { for name, interface in azurerm_network_interface.joining : name => interface.id },
  )
}

# The host of the load balancer probes the servers. Its address counts as part of the virtual network, which the last
# rule denies.
resource "azurerm_network_security_rule" "probe" {
  count                       = local.balanced ? 1 : 0
  name                        = "load-balancer-probe"
  resource_group_name         = local.group
  network_security_group_name = azurerm_network_security_group.nodes.name
  direction                   = "Inbound"
  access                      = "Allow"
  priority                    = 105
  protocol                    = "Tcp"
  source_address_prefix       = "AzureLoadBalancer"
  source_port_range           = "*"
  destination_address_prefix  = var.subnet
  destination_port_range      = "6443"
}
