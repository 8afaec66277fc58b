"""`python -m salesconnect.bench.work ID`: work a batch off as a worker does, and print the peak memory in MB."""

import os
import sys

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salesconnect.settings")
    django.setup()

    from contacts import batches
    from salesconnect.bench.measure import peak_mb

    while batches.run(int(sys.argv[1])):
        pass
    sys.stdout.write(f"{peak_mb():.1f}")
