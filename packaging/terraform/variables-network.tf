variable "ingress" {
  description = "Whether there is a node with the role ingress and a public address, which web_sources may reach on ports 80 and 443."
  type        = bool
  default     = false
}

variable "web_sources" {
  description = "With ingress: the ranges that may reach ports 80 and 443 of the ingress node. By default the internet."
  type        = list(string)
  default     = ["0.0.0.0/0"]

  validation {
    condition     = length(var.web_sources) > 0 && alltrue([for range in var.web_sources : can(cidrnetmask(range))])
    error_message = "At least one IPv4 range, each with its prefix length, such as 203.0.113.0/24; to close the ports, set ingress = false."
  }
}

variable "address_space" {
  description = "The addresses of the virtual network."
  type        = string
  default     = "10.0.0.0/16"

  validation {
    condition     = can(cidrnetmask(var.address_space))
    error_message = "An IPv4 range with its prefix length, such as 10.0.0.0/16."
  }
}

variable "subnet" {
  description = "The addresses of the nodes, within address_space. The server has the fifth, the first one not reserved by Azure."
  type        = string
  default     = "10.0.1.0/24"

  validation {
    condition     = can(cidrnetmask(var.subnet)) && can(cidrhost(var.subnet, 7))
    error_message = "An IPv4 range with its prefix length, /29 or larger, such as 10.0.1.0/24."
  }
}

variable "ssh_sources" {
  description = "The ranges that may reach the nodes by SSH: none by default. Only the ingress node has a public address."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for range in var.ssh_sources : can(cidrnetmask(range))])
    error_message = "IPv4 ranges with their prefix length, such as 203.0.113.7/32 for one address."
  }
}

variable "nat_gateway" {
  description = "Whether the nodes use a NAT gateway; false if the network has another route to the internet, such as a proxy."
  type        = bool
  default     = true
}

variable "key_vault_sources" {
  description = "The addresses from which the vault can be reached, including that of the machine that runs Terraform; the nodes always can. By default any address, with a token."
  type        = list(string)
  default     = null
}
