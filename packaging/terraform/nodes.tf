# Slipway's settings in addition to the tags; they contain no secret.
locals {
  settings = { for role in local.roles : role => merge(
    {
      azure = {
        identity = { clientId = azurerm_user_assigned_identity.node[role].client_id }
        keyVault = { name = azurerm_key_vault.fleet.name }
      }
      joinToken  = { agentSecretName = azurerm_key_vault_secret.agent.name }
      registries = { servers = [azurerm_container_registry.fleet.login_server] }
    },
    # K3s' ServiceLB opens the ports of Services, such as 80 and 443 of Traefik, only on nodes with this label.
    { for name in role == "ingress" ? ["node"] : [] : name => { labels = ["svccontroller.k3s.cattle.io/enablelb=true"] } },
    { for name in role == "server" && var.flux != null ? ["gitops"] : [] : name => { engine = "flux", flux = var.flux } },
    { for container in role == "server" ? azurerm_storage_container.backup : [] : "backup" => {
      to = "${azurerm_storage_account.backup[0].primary_blob_endpoint}${container.name}"
    } },
    var.settings,
    { for name in role == "server" && local.balanced ? ["k3s"] : [] : name => merge(
      { datastore = "etcd", peers = local.server_ips },
      try(var.settings.k3s, {}),
    ) },
  ) }
}

resource "azurerm_network_interface" "server" {
  name                = "${var.name}-server"
  location            = var.location
  resource_group_name = local.group

  ip_configuration {
    name                          = "nodes"
    subnet_id                     = azurerm_subnet.nodes.id
    private_ip_address_allocation = "Static"
    private_ip_address            = local.server_ip
  }
}

resource "azurerm_network_interface" "other" {
  for_each            = local.others
  name                = each.key
  location            = var.location
  resource_group_name = local.group
  # Wait for the fixed addresses: otherwise Azure could assign one of them to one of these interfaces.
  depends_on = [azurerm_network_interface.server, azurerm_network_interface.joining, azurerm_lb.servers]

  ip_configuration {
    name                          = "nodes"
    subnet_id                     = azurerm_subnet.nodes.id
    private_ip_address_allocation = "Dynamic"
    public_ip_address_id          = each.value.role == "ingress" ? azurerm_public_ip.ingress[0].id : null
  }
}

resource "azurerm_linux_virtual_machine" "node" {
  for_each              = local.nodes
  name                  = each.key
  location              = var.location
  resource_group_name   = local.group
  size                  = each.value.size
  admin_username        = "azureuser"
  network_interface_ids = [each.value.role == "server" ? local.server_interfaces[each.key] : azurerm_network_interface.other[each.key].id]

  custom_data = base64encode(templatefile("${path.module}/../cloud-init/user-data.yaml", {
    slipway_url    = var.slipway_url
    slipway_sha256 = var.slipway_sha256
    config         = indent(6, trimspace(yamlencode(local.settings[each.value.role])))
  }))

  tags = merge(
    { k3s-role = each.value.role },
    # Several servers name this address in their certificates. A single one must not: it would look for another server.
    { for address in each.value.role == "server" && !local.balanced ? [] : [local.registration_ip] : "k3s-server" => address },
    { for mark in local.balanced && var.founding && contains(keys(local.first), each.key) ? ["true"] : [] : "k3s-init" => mark },
    { for version in var.k3s_version == null ? [] : [var.k3s_version] : "k3s-version" => version },
  )

  admin_ssh_key {
    username   = "azureuser"
    public_key = var.ssh_public_key
  }

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.node[each.value.role].id]
  }

  source_image_reference {
    publisher = var.image.publisher
    offer     = var.image.offer
    sku       = var.image.sku
    version   = var.image.version
  }

  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "StandardSSD_LRS"
  }

  # Enable the log of the serial console, the only output of an unreachable VM.
  boot_diagnostics {}

  lifecycle {
    # Azure cannot change custom data, so Terraform would replace every node for a new release of Slipway.
    ignore_changes = [custom_data]
  }

  # Wait for the network: the download of Slipway is retried only for a few minutes. Slipway itself waits for its roles.
  depends_on = [
    azurerm_subnet_nat_gateway_association.out,
    azurerm_nat_gateway_public_ip_association.out,
    azurerm_subnet_network_security_group_association.nodes,
    azurerm_network_security_rule.inbound,
    azurerm_network_security_rule.nothing_else,
    azurerm_network_security_rule.probe,
  ]
}
