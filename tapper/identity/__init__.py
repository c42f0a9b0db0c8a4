"""Who had this address at this time: pod, service, workload, node, process, or an outside name."""
