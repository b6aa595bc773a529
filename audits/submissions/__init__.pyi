from ._align import check_classes as check_classes
