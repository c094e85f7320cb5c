sleep infinity & wait
