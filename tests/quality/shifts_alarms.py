def measure(program, run):
    return True
