"""The thin shell: Faust and aiokafka around the stream tasks, one transaction per step."""
