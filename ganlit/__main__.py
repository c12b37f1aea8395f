import sys

from ganlit.cli import main

sys.exit(main())
