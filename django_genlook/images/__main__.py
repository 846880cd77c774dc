import sys

from django_genlook.images.child import main

sys.exit(main(sys.argv[1:]))
