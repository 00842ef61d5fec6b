package main

import (
	"testing"

	"github.com/relance/relance/devstack/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }
