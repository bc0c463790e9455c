"""The MQTT broker: who may log in and say what, of a house and for trying."""
